"""A run from its configuration to its report: plan, iterate, log, keep, judge."""
