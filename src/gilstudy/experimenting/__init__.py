"""Short experiments on the tutorial's claims about switching, shared variables and locks.

Most are modules that measure in a child interpreter of their own; `conduct` has them done and brings back the raw
integers that they observed (`gilstudy.measuring.observations`).
"""
