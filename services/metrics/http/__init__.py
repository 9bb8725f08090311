"""What metrics serves: figures for everyone; cases and traces for operators; a receiver of spans."""
