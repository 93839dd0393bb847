package registry

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lamplighter/devices"
	"lamplighter/devices/timetable"
)

// column is one column of a census file. get writes what set reads; set returns
// the cure when it cannot read v, else "".
type column struct {
	name    string
	aliases []string
	get     func(f *Facility) string
	set     func(f *Facility, v string) (cure string)
}

// The columns that are no field of a Facility.
const (
	passwordColumn = "password"
	limitPrefix    = "limit:"
)

const (
	maxName = 200 // characters
	maxText = 100
)

// columnTable is every column of a census file but the password and the limits,
// in the order of an export and of the database.
func columnTable() []column {
	return []column{
		{"id", []string{"编号", "设施编号"}, func(f *Facility) string { return string(f.ID) }, setID},
		{"device", []string{"设备", "设备编号"}, func(f *Facility) string { return string(f.Device) }, setDevice},
		{"kind", []string{"类型", "种类"}, func(f *Facility) string { return f.Kind.String() }, setKind},
		{"component", []string{"部件编码", "部件标识码"}, func(f *Facility) string { return f.Component }, setComponent},
		text("name", maxName, func(f *Facility) *string { return &f.Name }, "名称"),
		{"lon", []string{"经度", "longitude", "lng"}, func(f *Facility) string { return degrees(f, f.Lon) }, setLon},
		{"lat", []string{"纬度", "latitude"}, func(f *Facility) string { return degrees(f, f.Lat) }, setLat},
		{"area", []string{"区域", "网格", "所属网格"}, func(f *Facility) string { return string(f.Area) }, setArea},
		text("cabinet", devices.MaxIDLen, func(f *Facility) *string { return &f.Cabinet }, "配电柜", "配电箱", "控制柜", "控制箱"),
		text("circuit", devices.MaxIDLen, func(f *Facility) *string { return &f.Circuit }, "回路"),
		text("vendor", maxText, func(f *Facility) *string { return &f.Vendor }, "厂商", "厂家"),
		text("model", maxText, func(f *Facility) *string { return &f.Model }, "型号"),
		{"expect_s", []string{"上报间隔", "上报间隔秒"}, func(f *Facility) string { return natural(f.ExpectS) }, setExpect},
		text("in_charge", maxText, func(f *Facility) *string { return &f.InCharge }, "主管部门"),
		text("owner", maxText, func(f *Facility) *string { return &f.Owner }, "权属单位"),
		text("maintainer", maxText, func(f *Facility) *string { return &f.Maintainer }, "养护单位"),
		{"installed", []string{"安装日期"}, func(f *Facility) string { return f.Installed }, setInstalled},
		{"condition", []string{"状态"}, func(f *Facility) string { return f.Condition }, setCondition},
		{"gateway", []string{"网关"}, func(f *Facility) string { return string(f.Gateway) }, setGateway},
		text("road", maxText, func(f *Facility) *string { return &f.Road }, "道路", "道路名称"),
		{"road_class", []string{"道路等级"}, func(f *Facility) string { return f.RoadClass }, setRoadClass},
		{"lamps", []string{"灯数", "灯盏数"}, func(f *Facility) string { return natural(f.Lamps) }, setLamps},
		text("feeder", devices.MaxIDLen, func(f *Facility) *string { return &f.Feeder }, "馈线", "供电馈线"),
		{"timetable", []string{"开关灯时间"}, func(f *Facility) string { return f.Timetable }, setTimetable},
		{"supply", []string{"供电方式"}, func(f *Facility) string { return f.Supply }, setSupply},
	}
}

// text is a column of free text of at most so many characters.
func text(name string, most int, field func(*Facility) *string, aliases ...string) column {
	return column{name, aliases, func(f *Facility) string { return *field(f) }, func(f *Facility, v string) string {
		*field(f) = v
		return textCure(v, most)
	}}
}

// textCure says what is wrong with a text.
func textCure(v string, most int) string {
	if !utf8.ValidString(v) {
		return "it is not UTF-8; save the file as UTF-8"
	}
	if n := utf8.RuneCountInString(v); n > most {
		return fmt.Sprintf("it has %d characters; want at most %d", n, most)
	}
	for _, c := range v {
		if unicode.IsControl(c) && c != '\n' && c != '\t' || unicode.Is(unicode.Bidi_Control, c) || c == '\ufeff' || c == utf8.RuneError {
			return fmt.Sprintf("it has the character %U, which cannot stand in a text; remove it", c)
		}
	}
	return ""
}

func setID(f *Facility, v string) string {
	id, err := devices.ParseFacilityID(v)
	f.ID = id
	return cure(err)
}

func setDevice(f *Facility, v string) (c string) {
	f.Device, c = optionalID(v)
	return c
}

func setGateway(f *Facility, v string) (c string) {
	f.Gateway, c = optionalID(v)
	return c
}

func optionalID(v string) (devices.DeviceID, string) {
	if v == "" {
		return "", ""
	}
	d, err := devices.ParseDeviceID(v)
	return d, cure(err)
}

func cure(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func setKind(f *Facility, v string) string {
	switch v {
	case "manhole", "井盖":
		f.Kind = devices.Manhole
	case "streetlight", "路灯":
		f.Kind = devices.Streetlight
	case "bridge", "桥梁":
		f.Kind = devices.Bridge
	default:
		return "want manhole, streetlight or bridge (井盖, 路灯, 桥梁)"
	}
	return ""
}

// setComponent takes the 16 digits of a component id.
func setComponent(f *Facility, v string) string {
	f.Component = v
	if v != "" && (len(v) != 16 || strings.Trim(v, "0123456789") != "") {
		return "want 16 digits: 6 county, 2 class, 2 subclass, 6 serial"
	}
	return ""
}

func degrees(f *Facility, n float64) string {
	if !f.HasPlace {
		return ""
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

func setLon(f *Facility, v string) (c string) {
	f.Lon, c = parseDegrees(v, 180)
	return c
}

func setLat(f *Facility, v string) (c string) {
	f.Lat, c = parseDegrees(v, 90)
	return c
}

// parseDegrees reads degrees; nothing is NaN.
func parseDegrees(v string, bound float64) (float64, string) {
	if v == "" {
		return math.NaN(), ""
	}
	n, err := strconv.ParseFloat(v, 64)
	if err == nil && n >= -bound && n <= bound {
		return n, ""
	}
	c := fmt.Sprintf("want degrees (WGS84) from -%g to %g", bound, bound)
	if err == nil && bound == 90 && math.Abs(n) <= 180 {
		c += "; are lon and lat swapped?"
	}
	return math.NaN(), c
}

func setArea(f *Facility, v string) string {
	if v == "" {
		f.Area = ""
		return ""
	}
	a, err := devices.ParseAreaCode(v)
	f.Area = a
	return cure(err)
}

// natural is a whole number, 0 = not said.
func natural(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// maxExpect is ten years, so that ms never overflow.
const maxExpect = 10 * 366 * 24 * 3600

func setExpect(f *Facility, v string) string {
	f.ExpectS = 0
	if v == "" {
		return ""
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 1 || n > maxExpect {
		return "want seconds between two messages, a whole number from 1"
	}
	f.ExpectS = n
	return ""
}

func setInstalled(f *Facility, v string) string {
	f.Installed = ""
	if v == "" {
		return ""
	}
	for _, form := range []string{"2006-01-02", "2006/1/2", "2006年1月2日", "2006.1.2"} {
		if t, err := time.Parse(form, v); err == nil {
			f.Installed = t.Format("2006-01-02")
			return ""
		}
	}
	return "want a date such as 2024-05-31"
}

func setCondition(f *Facility, v string) string {
	switch v {
	case "", "intact", "完好":
		f.Condition = "intact"
	case "damaged", "破损":
		f.Condition = "damaged"
	case "missing", "丢失":
		f.Condition = "missing"
	case "retired", "废弃":
		f.Condition = "retired"
	default:
		return "want 完好, 破损, 丢失 or 废弃 (intact, damaged, missing, retired)"
	}
	return ""
}

func setRoadClass(f *Facility, v string) string {
	switch v {
	case "", "expressway", "main", "secondary", "branch":
		f.RoadClass = v
	case "快速路":
		f.RoadClass = "expressway"
	case "主干路", "主干道":
		f.RoadClass = "main"
	case "次干路", "次干道":
		f.RoadClass = "secondary"
	case "支路":
		f.RoadClass = "branch"
	default:
		return "want expressway, main, secondary or branch (快速路, 主干路, 次干路, 支路)"
	}
	return ""
}

// maxLamps is more than any cabinet feeds.
const maxLamps = 100_000

func setLamps(f *Facility, v string) string {
	f.Lamps = 0
	if v == "" {
		return ""
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 1 || n > maxLamps {
		return fmt.Sprintf("want how many lamps it stands for, a whole number from 1 to %d; nothing for a lamp that is one", maxLamps)
	}
	f.Lamps = n
	return ""
}

func setTimetable(f *Facility, v string) string {
	f.Timetable = ""
	if v == "" {
		return ""
	}
	t, err := timetable.Parse(v)
	if err != nil {
		return cure(err)
	}
	f.Timetable = t.String()
	return ""
}

func setSupply(f *Facility, v string) string {
	switch v {
	case "", "always", "switched":
		f.Supply = v
	case "常供电":
		f.Supply = "always"
	case "开灯供电":
		f.Supply = "switched"
	default:
		return "want always or switched (常供电, 开灯供电)"
	}
	return ""
}
