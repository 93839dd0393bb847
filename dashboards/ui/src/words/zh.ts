// 中文：运行中心使用的语言，其他语言与它的键一致。
export const zh = {
  app: { brand: 'Lamplighter', title: '城市设施监测', skip: '跳到正文', menu: '主导航', clock: '城市时间' },
  nav: { live: '实时', facilities: '设施', vendors: '接入' },
  user: { menu: '用户菜单', language: '语言', theme: '外观', auto: '跟随系统', light: '浅色', dark: '深色', logout: '退出登录' },
  language: { zh: '中文', en: 'English' },
  role: { viewer: '查看员', operator: '值班员', dispatcher: '派遣员', admin: '管理员' },
  login: {
    title: '登录', lead: '井盖、路灯、桥梁，一有异常即成工单', user: '用户名', password: '密码', submit: '登录', busy: '正在登录…', show: '显示密码',
    first: '首次启动时，用户 admin 的密码写在数据目录的 initial-admin-password 文件中。',
  },
  link: {
    connecting: '正在连接', open: '实时', down: '已断开',
    lost: '与服务器的连接已断开', since: '自 {at} 起没有新消息（{ago}）。下面的内容不是当前状态，正在重新连接。',
    old: '数据已经陈旧', oldSince: '最近一条读数在 {at} 收到（{ago}）。设施的当前状态未知。', oldNever: '尚未收到任何读数，设施的当前状态未知。', asOf: '{at} 时的状态',
  },
  strip: {
    label: '全市概况', tickets: '处置工单', open: '待处置', acknowledged: '已受理', total: '共 {n} 处', data: '数据', age: '数据延迟', received: '最近接收', parts: '系统各部分',
    good: '正常', trouble: '异常', behind: '滞后 {span}', share: '正常 {ok}，故障 {faulty}，未知 {unknown}，维护 {maintenance}', waiting: '等待第一条消息…',
  },
  part: { log: '日志', store: '存储', rules: '规则', rule_files: '规则文件', broker: '接入', mqtt: '外部接入', pager: '通知', database: '数据库' },
  kind: { manhole: '井盖', streetlight: '路灯', bridge: '桥梁', system: '系统' },
  standing: { ok: '正常', faulty: '故障', unknown: '未知', maintenance: '维护' },
  severity: { critical: '紧急', major: '严重', minor: '一般', info: '提示' },
  state: { open: '待处置', acknowledged: '已受理', closed: '已结案' },
  event: { opened: '立案', acknowledged: '受理', closed: '结案', joined: '并入', left: '移出', relapsed: '复发' },
  actor: { telemetry: '监测' },
  ticket: {
    title: '处置工单', number: '编号', severity: '级别', what: '问题', where: '设施', value: '数值与限值', limit: '限值 {limit}', of: '{value} / {limit} 处', since: '发生时间', state: '状态', action: '操作',
    openedAt: '立案时间', acknowledgedAt: '受理', closedAt: '结案', by: '{who} · {at}', kind: '类别', defect: '规则', place: '地点', owner: '权属单位',
    acknowledge: '受理', close: '结案', note: '备注（可不填）', noteHint: '例如：已通知养护班组', cancel: '取消', dismiss: '知道了', acknowledgeOf: '受理工单 {number}', closeOf: '结案 {number}',
    faster: '{who} 已于 {at} 抢先受理，此工单无需再受理。', closedBefore: '{who} 已于 {at} 结案。', busy: '正在提交…',
    all: '全部', anyKind: '全部类别', anySeverity: '全部级别', anyState: '全部状态', filters: '筛选工单', shown: '{n} 张', shownOf: '{n} / {all} 张', more: '再显示 {n} 张',
    none: '没有待办工单', noneLead: '所有已知问题均已处理。', noneFit: '没有符合筛选条件的工单', noneFitLead: '换一个类别、级别或状态试试。', clear: '清除筛选', loading: '正在读取工单…',
    facts: '工单信息', history: '办理过程', members: '同一原因的设施', membersLead: '这些设施并入本工单，不再单独立案。', joined: '并入时间', left: '移出时间', still: '仍在',
    pages: '通知', noPages: '没有发出通知：没有配置符合此级别和类别的通道。', channel: '通道', result: '结果', attempts: '次数', error: '错误', when: '时间', who: '人员', event: '事项', remark: '备注', opened: '新工单：{what}，{where}', manyOpened: '{n} 张新工单',
    readOnly: '您的角色只能查看。',
  },
  page: { pending: '等待发送', sent: '已送达', failed: '失败', sending: '正在发送', retry: '等待重试' },
  facility: {
    title: '设施', search: '搜索编号、名称或部件编码', searchKey: '按 / 搜索，↑ ↓ 移动', id: '编号', name: '名称', state: '状态', kind: '类别', area: '区域', circuit: '配电箱 / 回路', seen: '最近上报', total: '共 {n} 处', next: '下一页', previous: '上一页',
    none: '没有找到设施', noneLead: '换一个编号或名称，或者清除筛选。', empty: '设施台账为空', emptyLead: '用 lamplighter devices import 导入 CSV 或 GeoJSON。', provisional: '临时建档', loading: '正在读取设施…',
    facts: '台账', device: '设备', component: '部件编码', place: '坐标（WGS84）', vendor: '厂商与型号', interval: '上报间隔', charge: '主管部门', owner: '权属单位', maintainer: '养护单位', installed: '安装日期', condition: '外观状态', gateway: '网关', limits: '限值', unset: '未登记',
    latest: '最新数值', channel: '指标', value: '数值', measured: '测量时间', staleValue: '过期，不代表当前', noLatest: '一天之内没有数值', chart: '历史曲线', tickets: '此设施的工单', noTickets: '此设施没有工单', pagerLabel: '翻页',
  },
  condition: { intact: '完好', damaged: '破损', missing: '丢失', retired: '废弃' },
  chart: {
    channel: '指标', range: '时间范围', h1: '1 小时', h6: '6 小时', h24: '24 小时', d7: '7 天', d30: '30 天', none: '这段时间没有数据', limit: '限值', digest: '{count} 个数值，最低 {low}，最高 {high}，最新 {last}，中断 {gaps} 处', label: '{channel} 的曲线：{digest}',
    capped: '只显示最近的 {n} 个数值。', table: '以表格查看', on: '是', off: '否', loading: '正在读取…',
  },
  vendor: {
    title: '设备接入', tabs: '接入分页', quarantine: '隔离区', unknown: '未建档设备', gaps: '缺失记录', device: '设备', filter: '按设备编号筛选', apply: '筛选', when: '时间', code: '代码', reason: '原因', path: '位置', topic: '主题', payload: '报文', source: '来源', bytes: '{n} 字节', whole: '完整报文',
    quarantineLead: '被拒绝的报文及其原因，最新的在前。', unknownLead: '尝试连接、但台账中没有的设备。', gapsLead: '没有到达的消息序号，最新的在前。', noQuarantine: '没有被拒绝的报文', noUnknown: '没有未建档设备', noGaps: '没有缺失', noneLead: '一切正常。',
    first: '首次', last: '最近', count: '次数', boot: '启动标识', range: '序号', missing: '缺失', came: '补到', openOnly: '只看尚未补到的', more: '更多', loading: '正在读取…',
  },
  code: {
    E_JSON: '不是有效的 JSON', E_FIELD: '字段不对', E_UNIT: '单位不对', E_TIME: '时间不可信', E_DUP: '重复', E_CODEC: '无法解码', E_IDENT: '身份不符', E_SIZE: '太大', E_RATE: '太频繁', E_STORE: '存储拒绝',
  },
  problem: {
    title: '没有成功', again: '重试', said: '服务器答复：{detail}', s0: '服务器没有应答，请检查网络后重试。', s401: '用户名或密码不正确，或者登录已过期。', s403: '您的角色不允许这样做。', s404: '没有找到，可能已被删除。', s409: '状态已变化，请查看最新内容。', s422: '输入有误。', s429: '尝试过于频繁，请稍后再试。', s500: '服务器出错，请稍后重试。',
  },
  missing: { title: '没有这个页面', lead: '地址可能有误，或者链接已失效。', home: '回到实时页' },
  span: { seconds: '{n} 秒', minutes: '{n} 分钟', hours: '{n} 小时', days: '{n} 天', ago: '{span}前', never: '从未' },
};

/** A catalogue with the keys of the Chinese one. */
type Same<T> = { [K in keyof T]: T[K] extends string ? string : Same<T[K]> };
export type Catalogue = Same<typeof zh>;
