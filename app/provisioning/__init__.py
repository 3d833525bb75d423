"""What staff do for people who hold the device: invite, choose, send again, revoke, shut out."""
