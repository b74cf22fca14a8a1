"""How well a policy imitates its clip: rollouts, metrics, tables, films."""
