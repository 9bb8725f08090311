-- The persons' keys: intake makes and erases them, routing and notifications may only use them, metrics never sees them.
GRANT USAGE ON SCHEMA vault TO handoff_intake, handoff_routing, handoff_notifications;
GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA vault TO handoff_intake;
GRANT SELECT ON ALL TABLES IN SCHEMA vault TO handoff_routing, handoff_notifications;
