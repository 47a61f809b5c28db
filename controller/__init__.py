"""Orikaeshi's controller. Start reading at `journeys/`: what happens on a call, top to bottom."""
