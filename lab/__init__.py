"""The laboratory: a real Asterisk, real SIP phones and ears, for the tests, the demo and the benchmarks.

Nothing in the product imports from here. `lab.phone` makes phones, `lab.recording` is what a phone heard,
`lab.audio` judges it.
"""
