"""The room of those who work here: the API under `/api/v1`, the wallboard, the agents' desk, the supervisor's page."""
