"""SMS providers on this machine: servers that speak the real ones' wire format, and misbehave when told to."""
