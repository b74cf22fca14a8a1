"""Files of other people's estimators, as they really write them, turned into contracts: no torch, no free unpickling.

One small file a tool; its docstring says where the layout comes from. `table` names them for the command line.
"""
