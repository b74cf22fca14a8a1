"""Other people's estimators, started in the user's own environment: a program, a log, a result, a contract.

`tools` names them; `scripts` are what runs there for tools that leave no file by themselves.
"""
