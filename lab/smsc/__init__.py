"""An SMS centre that speaks SMPP 3.4 and misbehaves when told to; with a codec of its own (smpplib's)."""
