"""The web: the page on which a customer chooses when to be called, and the door for SMS providers' news."""
