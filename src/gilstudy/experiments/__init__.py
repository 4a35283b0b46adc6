"""Short experiments on the tutorial's claims about switching, shared variables and locks.

`measuring` modules run in a child interpreter of their own and observe raw integers (`observations`); `judging` turns
them into verdicts and can do so again from a saved record; `conduct` stands between the two.
"""
