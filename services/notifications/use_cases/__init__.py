"""What notifications does: queues mails for events, finds their recipients, writes and settles them, and shows them."""
