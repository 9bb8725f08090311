"""The published contract, written from the code: schemas, examples, AsyncAPI, OpenAPI; and its compatibility check."""
