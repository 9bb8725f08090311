-- The ledger is append-only: routing may insert rows, and set the place of a receipt; it may not update or delete.
REVOKE UPDATE, DELETE ON {schema}.receipts, {schema}.ledger_nodes, {schema}.checkpoints FROM {role};
GRANT UPDATE (place) ON {schema}.receipts TO {role};

-- The history of the rules that decided is append-only, too.
REVOKE UPDATE, DELETE ON {schema}.agreements, {schema}.policy_sets, {schema}.policy_set_uses FROM {role};
