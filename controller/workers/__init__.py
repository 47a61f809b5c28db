"""What runs beside the calls: the line keeper, the agents' desk, the dialer, the SMS sender, recovery, supervision."""
