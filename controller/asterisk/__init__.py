"""Everything that speaks with the PBX."""
