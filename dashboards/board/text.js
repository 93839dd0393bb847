// The words of the board in its two languages.
export const words = {
  title: ['城市设施监测', 'city facilities'], live: ['实时', 'Live'], facilities: ['设施', 'Facilities'], vendors: ['接入', 'Vendors'], tickets: ['处置工单', 'Tickets'],
  login: ['登录', 'Log in'], logout: ['退出', 'Log out'], user: ['用户名', 'User'], password: ['密码', 'Password'],
  open: ['待处置', 'open'], acknowledged: ['已受理', 'acknowledged'], closed: ['已结案', 'closed'], opened: ['立案', 'opened'],
  ok: ['正常', 'ok'], faulty: ['故障', 'faulty'], unknown: ['未知', 'unknown'], manhole: ['井盖', 'Manholes'], streetlight: ['路灯', 'Streetlights'], bridge: ['桥梁', 'Bridges'],
  critical: ['紧急', 'critical'], major: ['严重', 'major'], minor: ['一般', 'minor'], info: ['提示', 'info'],
  number: ['编号', 'Number'], facility: ['设施', 'Facility'], defect: ['问题', 'Defect'], severity: ['级别', 'Severity'], state: ['状态', 'State'], since: ['发生', 'Since'], value: ['数值', 'Value'], action: ['操作', 'Action'],
  acknowledge: ['受理', 'Acknowledge'], close: ['结案', 'Close'], age: ['数据延迟', 'Data age'], health: ['系统', 'System'], good: ['正常', 'good'], trouble: ['异常', 'trouble'],
  search: ['搜索编号或名称', 'Search id or name'], all: ['全部', 'All'], name: ['名称', 'Name'], area: ['区域', 'Area'], seen: ['最近上报', 'Last heard'], next: ['下一页', 'Next page'], total: ['共', 'Total'],
  history: ['办理过程', 'History'], pages: ['通知', 'Pages'], when: ['时间', 'When'], who: ['人员', 'Who'], what: ['事项', 'What'], note: ['备注', 'Note'], channel: ['通道', 'Channel'], attempts: ['次数', 'Attempts'], error: ['错误', 'Error'],
  latest: ['最新数值', 'Newest values'], stale: ['过期', 'stale'], hours: ['最近一小时', 'Last hour'], never: ['从未', 'never'], quarantine: ['隔离区（被拒绝的报文）', 'Quarantine (refused messages)'], unknownDevices: ['未建档设备', 'Devices not in the census'],
  device: ['设备', 'Device'], reason: ['原因', 'Reason'], code: ['代码', 'Code'], payload: ['报文', 'Payload'], count: ['次数', 'Count'], none: ['没有记录', 'Nothing here'],
  away: ['与服务器的连接已断开，以下内容不是最新：', 'The connection is down; what you see is not current: '], newTicket: ['新工单', 'New ticket'], provisional: ['临时', 'provisional'], limit: ['限值', 'limit'], map: ['地点', 'Place'], owner: ['权属单位', 'Owner'], circuit: ['回路', 'Circuit'], telemetry: ['监测', 'telemetry'],
};
let lang = localStorage.getItem('lang') || (navigator.language.startsWith('en') ? 'en' : 'zh');
export const t = (k) => words[k]?.[lang === 'zh' ? 0 : 1] ?? k;
export const current = () => lang;
export const pick = (o) => o?.[lang] || o?.zh || '';
export function toggle() {
  lang = lang === 'zh' ? 'en' : 'zh';
  localStorage.setItem('lang', lang);
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
}
