"""Start here: what happens on a call, top to bottom, like a script.

`inbound_caller` is a caller's way from the first ring to an agent or a promise; `leave_number` takes the number;
`callback_to_customer` keeps the promise; `agent_phone` rings an agent for any of them.
"""
