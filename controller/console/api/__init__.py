"""The REST API: each operation stands once, with its types, its scope and its words; OpenAPI is made of that."""
