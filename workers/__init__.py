"""What happens later: delivery of messages, writing to memory, the end of terms."""
