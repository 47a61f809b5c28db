"""FastAGI: the dialplan of a PBX with queues of its own hands over a caller, who leaves a number here."""
