"""The pages: HTML from templates, one style sheet, small scripts of our own, live by server-sent events."""
