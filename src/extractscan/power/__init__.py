"""What a log could have shown: campaigns made of its own kinds of traffic are put into it, and it is scored again."""
