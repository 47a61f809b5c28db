"""Of the measurements: whether their tools measure what they say."""
