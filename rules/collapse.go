package rules

// Level is what the members of a common cause hang on.
type Level uint8

// The levels, the lowest first.
const (
	Circuit Level = iota + 1
)

var levelNames = [...]string{"", "circuit"}

// String is the level's name in rule files.
func (l Level) String() string { return levelNames[min(int(l), len(levelNames)-1)] }
