-- The persons' keys: intake creates and deletes them; routing and notifications may only read them.
-- The consents: intake inserts and withdraws them, and deletes none; routing reads them. Metrics reads neither.
GRANT USAGE ON SCHEMA vault TO handoff_intake, handoff_routing, handoff_notifications;
GRANT SELECT, INSERT, DELETE ON vault.person_keys TO handoff_intake;
GRANT SELECT ON vault.person_keys TO handoff_routing, handoff_notifications;
GRANT SELECT, INSERT, UPDATE ON vault.consents TO handoff_intake;
GRANT SELECT ON vault.consents TO handoff_routing;
