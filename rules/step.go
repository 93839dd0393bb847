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

// reached is the step of r, whose condition holds, from the one that it is at. Up it
// goes at once, and down only when the step's clear holds (or, without one, its when
// no longer does): what cannot be decided leaves it where it is.
func (r *Rule) reached(at uint8, v *view) (step uint8) {
	for i := range r.Steps {
		s := &r.Steps[i]
		held, t := i < int(at), unknown
		if held && s.clear != nil {
			t = not(s.clear.ask(v))
		} else {
			t = s.when.ask(v)
		}
		if held && t == unknown {
			t = yes
		}
		if t == yes {
			step = uint8(i + 1)
		}
	}
	return step
}

// graded is a ticket of a facility as bad as another rule set said.
type graded struct {
	f   *facility
	r   *Rule // of this set
	was Severity
}

// regrade tells that a ticket is not as bad as it was, by what is known of f, or worse.
func (e *Engine) regrade(g *graded) {
	f, r := g.f, g.r
	a := f.find(r.index)
	if active, known := r.active(e, f, f.newest); active && known && len(r.Steps) > 0 && r.wants(f) && e.current(f) {
		e.view = view{f: f, e: e, rule: r}
		if r.asks(a, &e.view) == yes {
			a.step = r.reached(a.step, &e.view)
		}
	}
	is := r.severity(a.step)
	if is == g.was {
		return
	}
	e.emit(f, r, Changed, e.wall)
	x := e.switched(e.set, g.was)
	x.Decided, x.Values = e.decided(f, r, a.step, a.words).evidence(), e.evidenceValues(f, r)
}

// switched says of the newest transition that a ticket is as bad as set says, now that
// it is switched on: no expression is why, as no reading has changed.
func (e *Engine) switched(set *Set, was Severity) *Evidence {
	t := &e.found.Transitions[len(e.found.Transitions)-1]
	t.Rules = set.version
	t.Evidence = &Evidence{Turn: turnSeverity, Rule: t.Defect, Version: set.version, Was: was, Severity: t.Severity, Since: e.wall, Pending: e.wall, At: e.wall}
	return t.Evidence
}
