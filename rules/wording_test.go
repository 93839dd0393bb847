package rules

import (
	"strings"
	"testing"
)

func TestTheWordsOfATicketSayWhatIsToBeSeen(t *testing.T) {
	ts, err := ReadTrials("testdata/trials/wording.test.yml", "Asia/Shanghai", tell(t).dict)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range ts.tests {
		hs, err := x.play(NewEngine(ts.set, ts.dict, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hs {
			if h.Type == Opened {
				got = append(got, h.Summary.ZH+" "+h.Summary.EN)
			}
		}
	}
	if got, want := strings.Join(got, "\n"), "井盖缺失 Cover missing\n井盖开启 Cover open\n井盖倾斜 Cover tilted\n井盖上抬 Cover lifted\n井盖沉降 Cover sunk"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
