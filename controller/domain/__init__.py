"""The rules, pure: no loop, clock, dice, log or I/O. Time arrives as an argument, decisions leave as values."""
