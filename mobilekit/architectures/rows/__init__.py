"""What is known of every architecture, a file a family."""
