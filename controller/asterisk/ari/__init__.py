"""Asterisk's REST interface: a client of our own on aiohttp, with ari-py's words."""
