"""What metrics serves: figures for everybody, cases and traces for operators, a place for spans."""
