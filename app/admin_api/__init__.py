"""The administration's REST API: for programs of the organisation, with tokens of staff."""
