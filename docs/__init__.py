"""The written house, and the programs that draw parts of it from the code."""
