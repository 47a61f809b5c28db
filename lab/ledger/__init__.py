"""The ledger: what was asked for, dialled, talked and written, as seen from outside; and the judge over it.

It sees the telephone network's calls (AMI of the carrier), what callers were told (an ARI application of its own on the
PBX) and the SMS that were handed over. It never reads the controller's database, and imports nothing of the controller.
"""
