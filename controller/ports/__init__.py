"""What journeys and workers need from the outside, as Protocols. Adapters stand behind them; assembly joins the two."""
