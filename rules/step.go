package rules

// stepOf is the step of r that is as bad as s, else the worst one that is not worse:
// what a step of another version of the rule is here. 0 = none.
func (r *Rule) stepOf(s Severity) (step uint8) {
	for i := range r.Steps {
		if !r.Steps[i].Severity.Worse(s) {
			step = uint8(i + 1)
		}
	}
	return step
}

// thawed gives an alert that was written down by r, or by another version of it, no
// step and no words that r does not have.
func (a alert) thawed(r *Rule) alert {
	a.step = min(a.step, uint8(len(r.Steps)))
	if r.wording(a.words) == nil {
		a.words = 0
	}
	return a
}
