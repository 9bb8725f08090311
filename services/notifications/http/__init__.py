"""What notifications serves: the states of mails, for operators. No answer contains an address or a text."""
