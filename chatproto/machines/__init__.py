"""What happens when: state tables, one HTTP call (Exchange), turns (Conversation), and history. Pure."""
