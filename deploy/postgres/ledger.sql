-- The ledger only grows: routing may add to it, and give a receipt its place; it changes and deletes nothing.
REVOKE UPDATE, DELETE ON {schema}.receipts, {schema}.ledger_nodes, {schema}.checkpoints FROM {role};
GRANT UPDATE (place) ON {schema}.receipts TO {role};

-- What was decided by, and when, only grows as well.
REVOKE UPDATE, DELETE ON {schema}.agreements, {schema}.policy_sets, {schema}.policy_set_uses FROM {role};
