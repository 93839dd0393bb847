package fleet

import (
	"fmt"

	"lamplighter/devices"
)

// Area is a node of the four-level grid, with its outline.
type Area struct {
	Code    devices.AreaCode
	Name    string
	Outline []Place // a closed ring
}

// The districts are real (GB/T 2260); streets and communities are made up.
var (
	districtCodes  = [4]string{"350102", "350103", "350104", "350111"}
	districtNames  = [4]string{"鼓楼区", "台江区", "仓山区", "晋安区"}
	streetNames    = [4]string{"东街街道", "南园街道", "西洪街道", "北湖街道"}
	communityNames = [4]string{"花巷社区", "榕城社区", "河口社区", "新桥社区"}
)

// cell is a quarter of a quarter of a quarter of the city; each level is one
// step of a quadtree: 0 south-west, 1 south-east, 2 north-west, 3 north-east.
type cell [3]int

// cellOf is the cell of a point of the unit square.
func cellOf(x, y float64) (c cell) {
	for i := range c {
		x, y = 2*x, 2*y
		if x >= 1 {
			c[i], x = c[i]+1, x-1
		}
		if y >= 1 {
			c[i], y = c[i]+2, y-1
		}
	}
	return c
}

// code is the area of the first n levels of the cell: district, street,
// community; the city itself for 0.
func (c cell) code(n int) devices.AreaCode {
	switch n {
	case 0:
		return "3501"
	case 1:
		return devices.AreaCode(districtCodes[c[0]])
	case 2:
		return devices.AreaCode(fmt.Sprintf("%s%03d", districtCodes[c[0]], c[1]+1))
	}
	return devices.AreaCode(fmt.Sprintf("%s%03d%03d", districtCodes[c[0]], c[1]+1, c[2]+1))
}

func (c cell) name(n int) string {
	switch n {
	case 0:
		return "福州市"
	case 1:
		return districtNames[c[0]]
	case 2:
		return streetNames[c[1]]
	}
	return communityNames[c[2]]
}

// corner is the cell's south-west corner in the unit square, and its width.
func (c cell) corner(n int) (x, y, w float64) {
	w = 1
	for i := range n {
		w /= 2
		x += w * float64(c[i]&1)
		y += w * float64(c[i]>>1)
	}
	return x, y, w
}

// areas are all levels, parents first.
func (l *layout) areas() []Area {
	var out []Area
	for n, count := range [4]int{1, 4, 16, 64} {
		for i := range count {
			c := cell{}
			for j, rest := n-1, i; j >= 0; j, rest = j-1, rest/4 {
				c[j] = rest % 4
			}
			x, y, w := c.corner(n)
			ring := []Place{l.place(x, y), l.place(x+w, y), l.place(x+w, y+w), l.place(x, y+w), l.place(x, y)}
			out = append(out, Area{c.code(n), c.name(n), ring})
		}
	}
	return out
}
