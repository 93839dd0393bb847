// 中文：运行中心使用的语言，其他语言与它的键一致。
export const zh = {
  app: { brand: 'Lamplighter', title: '城市设施监测', skip: '跳到正文', menu: '主导航', clock: '城市时间' },
  nav: { live: '实时', tickets: '工单', facilities: '设施', lighting: '照明', windows: '维护', vendors: '接入' },
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
    good: '正常', trouble: '异常', behind: '滞后 {span}', sunless: '{n} 处设施缺坐标，无法按日出日落判定', share: '正常 {ok}，故障 {faulty}，未知 {unknown}，维护 {maintenance}', waiting: '等待第一条消息…',
  },
  part: { log: '日志', store: '存储', rules: '规则', rule_files: '规则文件', listener: '本机接入', mqtt: '外部接入', link: '接入通道 {id}' },
  trouble: {
    log: '日志写不进去：新报文得不到确认，由设备和网关留存重发。请系统管理员检查磁盘空间和日志的容量上限。', store: '时序库不接收数据：曲线和最新数值停在之前，判断和工单照常，恢复后自动补写。请系统管理员检查时序库是否运行、磁盘空间和账号。', rules: '规则判断停住：暂时没有新工单，恢复后从停住处接着判断。请系统管理员检查数据库和磁盘空间。',
    rule_files: '规则文件有误，没有启用，仍按原来的规则判断。请改规则的人按下面指出的文件和行改正。', mqtt: '与外部 MQTT 服务器的会话不正常：经它上报的数据可能迟到或收不到。请系统管理员检查该服务器、账号与主题权限、队列上限。', link: '接入通道已断开：经它上报的设施状态未知，此间不判失联。请系统管理员检查该服务器是否运行、网络是否通。',
  },
  kind: { manhole: '井盖', streetlight: '路灯', bridge: '桥梁', system: '系统' },
  standing: { ok: '正常', faulty: '故障', unknown: '未知', maintenance: '维护' },
  severity: { critical: '紧急', major: '严重', minor: '一般', info: '提示' },
  state: { live: '未结案', open: '待处置', acknowledged: '已受理', closed: '已结案', historic: '历史' },
  event: { opened: '立案', acknowledged: '受理', closed: '结案', joined: '并入', left: '移出', relapsed: '复发', severity: '级别变化', words: '情形加重', revised: '重算' },
  actor: { telemetry: '监测', rules: '规则变更', command_line: '命令行' },
  ticket: {
    title: '处置工单', number: '编号', severity: '级别', what: '问题', where: '设施', value: '数值与限值', limit: '限值 {limit}', of: '{value} / {limit} 处', since: '发生时间', state: '状态', action: '操作',
    openedAt: '立案时间', acknowledgedAt: '受理', closedAt: '结案', by: '{who} · {at}', kind: '类别', defect: '规则', place: '地点', owner: '权属单位',
    acknowledge: '受理', close: '结案', note: '备注（可不填）', noteHint: '例如：已通知养护班组', cancel: '取消', dismiss: '知道了', acknowledgeOf: '受理工单 {number}', closeOf: '结案 {number}',
    faster: '{who} 已于 {at} 抢先受理，此工单无需再受理。', closedBefore: '{who} 已于 {at} 结案。', busy: '正在提交…',
    all: '全部', anyKind: '全部类别', anySeverity: '全部级别', anyState: '全部状态', filters: '筛选工单', shown: '{n} 张', shownOf: '{n} / {all} 张', more: '再显示 {n} 张',
    none: '没有待办工单', noneLead: '所有已知问题均已处理。', noneFit: '没有符合筛选条件的工单', noneFitLead: '换一个类别、级别或状态试试。', clear: '清除筛选', loading: '正在读取工单…',
    facts: '工单信息', history: '办理过程', members: '同一原因的设施', membersLead: '这些设施并入本工单，不再单独立案。', joined: '并入时间', left: '移出时间', still: '仍在', untilClosed: '直至结案',
    pages: '通知', noPages: '没有发出通知：没有配置符合此级别和类别的通道。', channel: '通道', result: '结果', attempts: '次数', error: '错误', when: '时间', who: '人员', event: '事项', remark: '备注', opened: '新工单：{what}，{where}', manyOpened: '{n} 张新工单',
    readOnly: '您的角色只能查看。', allLead: '全部工单，最新的在前。', noneYet: '还没有工单', historic: '历史', anyHistoric: '历史与当时', historicLead: '得知时故障已经结束：只作记录，没有发出通知。',
  },
  historic: { true: '只看历史', false: '不看历史' },
  why: {
    title: '立案依据', none: '没有保存立案依据：早期的工单没有。', rule: '规则', version: '版本 {version}', when: '条件', since: '成立时间', wait: '持续要求', at: '判定时间', values: '判定时的数值', decided: '起决定作用', after: '之后', limit: '限值与来源',
    lasts: '需持续 {span}', noWait: '无需等待', atOnce: '需持续 {span}；但下列条件同时成立，没有等待：', stale: '已过期，不予采信', never: '从未上报', notYet: '暂时无法得出',
  },
  unit: { lamp_nights: '{n} 灯·夜', lamp_ms: '{n} 灯·小时' },
  tier: { notice: '黄色·注意', warning: '橙色·预警', alarm: '红色·警报' },
  bound: { above: '限值 {limit}', below: '下限 {limit}', both: '限值 ±{limit}' },
  limitFrom: { facility: '该设施自身限值', model: '该型号限值', rule: '规则默认限值' },
  form: { refused: '没有接受：' },
  page: { pending: '等待发送', continued: '接续上一工单，未另行通知', sent: '已送达', failed: '失败', sending: '正在发送', retry: '等待重试' },
  facility: {
    title: '设施', search: '搜索编号、名称或部件编码', searchKey: '按 / 搜索，↑ ↓ 移动', id: '编号', name: '名称', state: '状态', kind: '类别', area: '区域', circuit: '配电柜 / 回路', seen: '最近上报', total: '共 {n} 处', next: '下一页', previous: '上一页',
    none: '没有找到设施', noneLead: '换一个编号或名称，或者清除筛选。', empty: '设施台账为空', emptyLead: '用 lamplighter devices import 导入 CSV 或 GeoJSON。', provisional: '临时建档', sunless: '本身、回路和配电柜都没有坐标，无法按日出日落判定', loading: '正在读取设施…',
    facts: '台账', device: '设备', component: '部件编码', place: '坐标（WGS84）', vendor: '厂商与型号', interval: '上报间隔', charge: '主管部门', owner: '权属单位', maintainer: '养护单位', installed: '安装日期', condition: '外观状态', gateway: '网关', feeder: '馈线', lamps: '灯数', lampsOf: '{n} 盏', timetable: '亮灯时间表', supply: '供电方式', limits: '限值', lower: '下限', unset: '未登记',
    latest: '最新数值', channel: '指标', value: '数值', measured: '测量时间', staleValue: '过期，不代表当前', staleEvery: '过期，不代表当前（按每 {span} 一次判断）', noLatest: '一天之内没有数值', chart: '历史曲线', tickets: '此设施的工单', noTickets: '此设施没有工单', pagerLabel: '翻页', since: '始于', blind: '接入通道 {link} 已断开', blindLead: '此设施经由它上报：现在无法判断它是否失联，也不知道它的当前状态。', belated: '仍判为失联：此后收到的都是迟到的旧报文，最新的数值测于 {at}（{ago}）。', belatedLead: '它们在判定失联之前就已发出，只补记历史；收到设备此后发出的报文即恢复。',
  },
  window: {
    title: '维护窗口', lead: '维护期间，所涉范围内不立案、不通知。', now: '进行中', waiting: '未开始', over: '已结束', begin: '开始维护', end: '结束维护', endOf: '结束维护：{reason}', endLead: '结束后，范围内仍然存在的问题会立即立案。', scope: '范围', from: '开始时间', to: '结束时间', reason: '原因', by: '负责人', name: '负责人',
    facility: '设施编号', cabinet: '配电柜', circuit: '回路', feeder: '馈线', area: '区域代码', kind: '类别', rule: '规则', cabinetOf: '配电柜 {id}', circuitOf: '回路 {id}', feederOf: '馈线 {id}', areaOf: '区域 {id}', ruleOf: '规则 {id}', endedBy: '由 {who} 提前结束', unsent: '规则尚未收到', inForce: '当前维护窗口', watched: '所有设施都在正常监测之中。',
  },
  noWindow: { all: '没有维护窗口', now: '没有进行中的维护', waiting: '没有未开始的维护', over: '没有已结束的维护' },
  windowHint: {
    facility: '一处设施。范围至少填一项，填写的各项须同时符合。', cabinet: '接在此配电柜上的全部设施。', circuit: '配电柜的一个回路；须同时填写配电柜。', feeder: '由此馈线供电的全部设施。', area: '此区域及其下级区域，4 至 15 位数字。', kind: '只涉及此类设施。', rule: '只停用这一条规则。', from: '城市时间；不填即现在。', to: '城市时间；须晚于现在和开始时间，最长 30 天。', name: '谁在现场；不填即您自己。', reason: '例如：更换灯具。',
  },
  lighting: {
    title: '照明指标', tabs: '照明分页', rate: '指标', period: '周期', where: '所在区域', newest: '截至 {day} 之夜，汇总于', course: '各期指标', courseLead: '点数字查看灯盏清单，点期次查看其下各处。', places: '各处指标', placesOf: '{period} 各处', by: '按', worstFirst: '低的在前', firstOnly: '只列出前 {n} 处，全部请下载', csv: '下载 CSV', value: '指标值', scale: '{from}% 至 100%，虚线为目标，斜纹为最差至最好', cases: '最差 – 最好', numerator: '分子', inHours: '{what}（灯·小时）', denominator: '分母', nights: '夜数',
    bar: '{value}，最差 {worst}，最好 {best}，目标 {target}', none: '还没有汇总过的夜晚', noneLead: '每天日出后约 15 分钟汇总前一夜。第一次收到路灯数据后的次日早晨，这里就有指标。', noFigure: '这里没有指标', noPlace: '未登记', area: '区域 {code}', definition: '指标定义', definitionLead: '每个指标都注明所用定义的版本，不同版本的数字从不相加。', list: '清单',
    lamps: '灯盏清单', lamp: '路灯', countsAs: '计为', why: '何时、为何不完好', noLamps: '没有这样的路灯', standsFor: '代表 {n} 盏灯',
  },
  lightingTab: { lighting: '指标', findings: '人工发现' },
  place: {
    title: '位置', what: '类别', members: '其中设施', facts: '基本信息', tickets: '工单', noTickets: '没有以此为对象的工单', inside: '其中设施的未结工单', insideMost: '只显示最新的 {n} 张', rates: '查看照明指标', area: '区域', feeder: '馈线', cabinet: '配电柜', circuit: '回路', gone: '已移出台账', seen: '未建档设备', goneLead: '台账中已没有这个编号，以下是它留下的工单。', seenLead: '台账中没有这个编号；它的报文、缺失和连接记录见：',
  },
  supply: { always: '常供电', switched: '由配电柜通断' },
  roadClass: { expressway: '快速路', main: '主干路', secondary: '次干路', branch: '支路' },
  level: { city: '全市', district: '区县', street: '街道', community: '社区', grid: '单元网格', road: '道路', cabinet: '配电柜' },
  period: { day: '夜', month: '月', quarter: '季' },
  rate: { met: '达标', low: '低于目标', none: '无法判断' },
  bucket: { intact: '完好', faulty: '故障', unknown: '未知', excluded: '剔除' },
  reason: { silent: '失联', unheard: '从未上报', gone: '已移出台账', away: '系统停机', timetable: '不在亮灯时间表内', maintenance: '维护', installed: '尚未安装，安装日期', census: '台账' },
  finding: {
    title: '人工发现', lead: '人员巡查发现的路灯问题，与监测结果一并计入指标。', find: '登记发现', end: '了结', endOf: '了结发现 {n}', withdraw: '撤销', withdrawOf: '撤销发现 {n}', how: '结果', lasting: '未修复', mended: '已修复', withdrawn: '撤销', withdrawnLead: '登记有误：撤销后不计入任何一夜，记录仍然保留。', lamp: '路灯编号', defect: '问题', foundAt: '发现时间', endedAt: '修复时间', number: '发现 {n}', openOnly: '只看未修复的', filter: '按路灯编号筛选', none: '没有人工发现', noneLead: '巡查中发现的问题可在此登记。',
  },
  findingHint: { lamp: '台账中的路灯。', defect: '选择，或用小写英文字母和下划线填写。', foundAt: '城市时间；不填即现在。最早 100 天前，涉及的夜晚会重新汇总。', endedAt: '城市时间；不填即现在。不早于发现时间。' },
  defect: {
    lamp_out: '灯不亮', leaning: '灯杆倾斜', dirty_glass: '灯罩脏污', broken_glass: '灯罩破损', pole_damaged: '灯杆损坏', door_open: '检修门敞开', wire_exposed: '电线外露',
    cover_displaced: '井盖移位或开启', cover_sunk: '井盖沉降', shaft_flooded: '井内积水', street_flooded: '街道积水（多井）', explosive_gas: '可燃气体超限', battery_low: '电池电量低', comm_lost: '设备通信中断', gear_failure: '驱动（镇流器）故障', lamp_cycling: '路灯频繁启停',
    dimming_failure: '调光故障', day_burner: '白天亮灯', relay_failure: '继电器故障', leakage: '漏电', supply_loss: '回路失电', voltage_off: '电压异常', circuit_voltage: '回路电压异常', cabinet_silent: '配电柜失联', circuit_silent: '回路失联',
    bridge_limit: '桥梁监测超限', sensor_fault: '桥梁传感器故障', street_silent: '街道设备大面积失联', cabinet_dark: '配电柜断电', feeder_dark: '馈线断电', street_dark: '街道大面积灭灯', bridge_deviates: '桥梁位移偏离常态', bridge_drift: '桥梁缓慢沉降', bridge_frequency: '桥梁自振频率偏移',
    lamps_missing: '回路电流低于常态：缺灯', circuit_dark: '回路整体不亮', water_rising: '井内水位偏高或上涨', street_water_rising: '街道多井水位偏高或上涨', toxic_gas: '井内有毒气体超限', cover_rattles: '井盖异响', burns_by_day: '白天亮灯', lamp_dark: '应亮未亮', lamp_flickers: '路灯频繁启停',
    lamp_dim: '路灯偏暗', power_high: '功率偏高', lamps_out_together: '回路多灯故障', lighting_rate_low: '完好率低于目标', lighting_rate_low_lit: '亮灯率低于目标',
  },
  condition: { intact: '完好', damaged: '破损', missing: '丢失', retired: '废弃' },
  chart: {
    channel: '指标', range: '时间范围', h1: '1 小时', h6: '6 小时', h24: '24 小时', d7: '7 天', d30: '30 天', none: '这段时间没有数据', digest: '{count} 个数值，最低 {low}，最高 {high}，最新 {last}，中断 {gaps} 处', label: '{channel} 的曲线：{digest}',
    capped: '只显示最近的 {n} 个数值。', table: '以表格查看', on: '是', off: '否', loading: '正在读取…',
  },
  usual: {
    legend: '图例', usual: '往常', band: '误差带（±{n} 个标准差）', of: '往常（规则 {rule}）', from: '自 {since} 起学得，共 {n} 步，每步取 {step} 的平均；', on: '按{channel}补偿，无滞后，R² {r2}。', lagged: '按{channel}补偿，滞后 {lag}，R² {r2}。', mean: '取其平均值，无补偿。', noFit: '无', schedule: '只在{when}学习和判断。',
    stands: '截至 {at} 的一步：平均 {value}，往常 {expected}，标准差 {band}，偏离 {rest}。', learning: '仍在学习：已有 {n} 步，至少需要 {needs} 步并满 {span}（起点：{since}）。在此之前不知道往常，也不据此判断。', notBegun: '尚未开始', past: '往常的曲线是用目前所学推算的，不是当时判断所用的值。',
  },
  schedule: { night: '夜间', day: '白天', should_be_on: '应亮灯时', should_be_off: '应关灯时', powered: '通电时' },
  vendor: {
    title: '设备接入', tabs: '接入分页', quarantine: '隔离区', unknown: '拒绝接入', gaps: '缺失记录', device: '设备', filter: '按设备编号筛选', apply: '筛选', when: '时间', code: '代码', reason: '原因', path: '位置', topic: '主题', payload: '报文', source: '来源', bytes: '{n} 字节', whole: '完整报文',
    quarantineLead: '被拒绝的报文及其原因，最新的在前。', unknownLead: '尝试连接、未获准接入的设备，最近的在前。', nameless: '未报名称', gapsLead: '没有到达的消息序号，最新的在前。', noQuarantine: '没有被拒绝的报文', noUnknown: '没有被拒绝的设备', noGaps: '没有缺失', noneLead: '一切正常。',
    first: '首次', last: '最近', count: '次数', boot: '启动标识', range: '序号', missing: '缺失', came: '补到', openOnly: '只看尚未补到的', more: '更多', loading: '正在读取…',
  },
  code: {
    E_JSON: '不是有效的 JSON', E_FIELD: '字段不对', E_UNIT: '单位不对', E_TIME: '时间不可信', E_DUP: '重复', E_CODEC: '无法解码', E_IDENT: '身份不符', E_SIZE: '太大', E_RATE: '太频繁', E_STORE: '存储拒绝',
  },
  codeCure: {
    E_JSON: '报文格式有误或在途中损坏：请厂商检查设备或网关的输出。', E_FIELD: '有字段的类型或数值不符合接入协议：请厂商改正下面指出的字段。', E_UNIT: '请厂商改用接入协议规定的单位。', E_TIME: '设备时钟不准，或时间格式不对：请厂商校时。', E_DUP: '此前已收到过：无须处理；经常出现时，请厂商检查重发。',
    E_CODEC: '系统不认识这个主题或格式：请核对主题；新的格式须先配置解码。', E_IDENT: '设备不在台账中，须先补录；或者用了别的设备的主题，请厂商改用自己的主题。', E_SIZE: '请厂商缩小每条报文，分几次上报。', E_RATE: '请厂商降低上报频率；若频率合理，请管理员提高限额。', E_STORE: '曲线中缺少这个数值，判断和工单不受影响：请告知系统管理员。',
  },
  turnedAway: {
    not_in_the_census: '台账中没有', wrong_password: '密码错误', no_user_name: '没有用户名', the_user_name_is_no_device_id: '用户名不是设备编号', the_certificate_s_CN_is_no_device_id: '证书名称不是设备编号', unknown_protocol_version: 'MQTT 版本不符', bad_CONNECT: '连接请求有误', client_id_too_long: '客户端标识过长', no_client_id: '没有客户端标识', too_many_connections: '连接数已满',
  },
  turnedAwayCure: {
    not_in_the_census: '属于本市的设备，请导入台账；否则不必处理。', wrong_password: '请核对设备里的密码，或由管理员发放新密码。', no_user_name: '请厂商以设备编号作为用户名。', the_user_name_is_no_device_id: '请厂商以设备编号作为用户名。', the_certificate_s_CN_is_no_device_id: '请厂商换用以设备编号为名称（CN）的证书。', unknown_protocol_version: '请厂商改用 MQTT 3.1、3.1.1 或 5。', bad_CONNECT: '请厂商检查设备的 MQTT 程序。', client_id_too_long: '请厂商缩短客户端标识，最长 128 字节。', no_client_id: '保留会话需要客户端标识，请厂商填写。', too_many_connections: '设备稍后会重试；经常出现时，请管理员提高连接上限。',
  },
  problem: {
    title: '没有成功', again: '重试', said: '服务器答复：', s0: '服务器没有应答，请检查网络后重试。', s401: '用户名或密码不正确，或者登录已过期。', s403: '您的角色不允许这样做。', s404: '没有找到，可能已被删除。', s409: '状态已变化，请查看最新内容。', s422: '输入有误。', s429: '尝试过于频繁，请稍后再试。', s500: '服务器出错，请稍后重试。',
  },
  missing: { title: '没有这个页面', lead: '地址可能有误，或者链接已失效。', home: '回到实时页' },
  span: { seconds: '{n} 秒', minutes: '{n} 分钟', hours: '{n} 小时', days: '{n} 天', ago: '{span}前', never: '从未' },
};

/** A catalogue with the keys of the Chinese one. */
type Same<T> = { [K in keyof T]: T[K] extends string ? string : Same<T[K]> };
export type Catalogue = Same<typeof zh>;
