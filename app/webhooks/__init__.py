"""Outside systems that are told of acts, in the manner of Standard Webhooks."""
