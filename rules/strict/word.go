package strict

import (
	"fmt"
	"strings"
)

// Meant is "; did you mean …?" for a word that is not among the known ones, or ""
// when none of them is near.
func Meant(word string, known []string) string {
	best, at := "", 1+max(2, len(word)/3)
	for _, k := range known {
		if d := distance(word, k); d < len(k)-1 && (d < at || d == at && k < best) {
			best, at = k, d
		}
	}
	for _, k := range known { // tilt is short for tilt_deg
		if best == "" && len(word) > 2 && strings.HasPrefix(k, word+"_") {
			best, at = k, 0
		}
	}
	if best == "" || at > max(2, len(word)/3) {
		best = sibling(word, known)
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// sibling is the one among the known words that differs from word in its last
// part alone, such as the unit; "" if there is none.
func sibling(word string, known []string) string {
	i := strings.LastIndexByte(word, '_')
	if i < 2 {
		return ""
	}
	for _, k := range known {
		if j := strings.LastIndexByte(k, '_'); j == i && k[:j] == word[:i] {
			return k
		}
	}
	return ""
}

// distance is the number of letters to insert, delete, change or swap with
// their neighbour to make b of a (optimal string alignment).
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		row, above, twice := rows[i%3], rows[(i+2)%3], rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], twice[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}

// Either is "a, b or c".
func Either(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
