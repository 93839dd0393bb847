package devices

import (
	"strings"
	"testing"
)

func TestAreaCodesNest(t *testing.T) {
	chain := []AreaCode{"350102001001123", "350102001001", "350102001", "350102", "3501", ""}
	for i, a := range chain[:len(chain)-1] {
		if got := a.Parent(); got != chain[i+1] {
			t.Errorf("%s lies in %q, want %q", a, got, chain[i+1])
		}
		if !a.Within(chain[i+1]) || chain[i+1].Within(a) {
			t.Errorf("%s within %s: wrong way round", a, chain[i+1])
		}
	}
	for in, want := range map[string]string{"35010": "has 5 digits", "35 1": "' ' at position 3", "35010x": "'x'"} {
		if _, err := ParseAreaCode(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseAreaCode(%q) = %v, want %q", in, err, want)
		}
	}
}

func TestDictionaryRefusesTwoMeanings(t *testing.T) {
	_, err := NewDictionary([]Channel{{Name: "a_mm", Unit: "mm", Type: Number}}, []Channel{{Name: "a_mm", Unit: "m", Type: Number}})
	if err == nil || !strings.Contains(err.Error(), "a_mm") {
		t.Errorf("two units for one name: %v", err)
	}
	_, err = NewDictionary([]Channel{{Name: "a", Type: Number}, {Name: "b", Type: Number, Aliases: []string{"a"}}})
	if err == nil || !strings.Contains(err.Error(), "alias a already means a") {
		t.Errorf("an alias that is a name: %v", err)
	}
}

func TestDictionaryLearnsWhileOthersLookUp(t *testing.T) {
	d, err := NewDictionary(CommonChannels())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan int)
	for range 4 {
		go func() {
			for i := range 200 {
				d.Learn("ch"+string(rune('a'+i%26)), Number)
			}
			done <- d.Lookup([]byte("cha")).ID
		}()
	}
	first := <-done
	for range 3 {
		if got := <-done; got != first {
			t.Errorf("the same name got ids %d and %d", first, got)
		}
	}
	if n := len(d.All()); n != len(CommonChannels())+26 {
		t.Errorf("%d channels, want %d", n, len(CommonChannels())+26)
	}
	for i, c := range d.All() {
		if c.ID != i {
			t.Fatalf("channel %s has id %d at %d", c.Name, c.ID, i)
		}
	}
}

func TestDeviceIDSaysWhatIsWrong(t *testing.T) {
	for in, want := range map[string]string{"": "is empty", "a b": `' ' at position 2`, strings.Repeat("x", 65): "has 65 characters"} {
		if _, err := ParseDeviceID(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseDeviceID(%q) = %v, want %q", in, err, want)
		}
	}
}
