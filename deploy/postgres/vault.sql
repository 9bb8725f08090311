-- The persons' keys: intake makes and erases them, routing and notifications may only use them.
-- The consents: intake writes and withdraws them, and removes none; routing asks them. Metrics never sees either.
GRANT USAGE ON SCHEMA vault TO handoff_intake, handoff_routing, handoff_notifications;
GRANT SELECT, INSERT, DELETE ON vault.person_keys TO handoff_intake;
GRANT SELECT ON vault.person_keys TO handoff_routing, handoff_notifications;
GRANT SELECT, INSERT, UPDATE ON vault.consents TO handoff_intake;
GRANT SELECT ON vault.consents TO handoff_routing;
