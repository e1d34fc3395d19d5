"""What is known of Chinese names beyond the dictionaries: surnames in order, newer characters."""

#: Surnames by number of bearers as the Ministry of Public Security's yearly name reports list the
#: first hundred (百家姓排名), then further ones in common use. First place of a name.
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程"
    "魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾"
    "龚邵万覃武钱戴严莫孔向常汤康易乔赖文傅樊殷施阎兰洪米凌翟安倪温芦季萧俞章鲁葛伍申尤毕聂柴焦"
    "柳邢岳齐梅庄辛管祝左涂谷祁时舒耿牟卜路詹关苗费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位霍翁隋"
    "植甘景薄单包司柏宁柯阮桂闵解强华车冉房边辜吉饶刁瞿戚丘古池滕晋苑邬臧畅宫来嵺苟占胥木仇匡"
    "褚娄窦岑党巩晏蒙敖冼邝蔺屠劳仲蓝佟竺麦卓练楚连鹿原代仝亓区朴盖尉迟上官公诸皇甫令狐慕容端"
    "独宇长沙拉妥撒撖穆丹哈赛洒闪喇鲜保桑益扎次旦洛格尼玛达瓦阿"
)

#: Surnames read otherwise than the same character elsewhere.
SURNAME_READINGS = {
    "单": "shan",
    "仇": "qiu",
    "曾": "zeng",
    "区": "ou",
    "查": "zha",
    "解": "xie",
    "朴": "piao",
    "盖": "ge",
    "任": "ren",
    "华": "hua",
    "尉": "yu",
    "覃": "qin",
    "翟": "zhai",
    "卜": "bu",
    "薄": "bo",
    "宁": "ning",
    "长": "zhang",
    "万": "wan",
    "葛": "ge",
    "瞿": "qu",
    "车": "che",
    "占": "zhan",
    "贾": "jia",
    "石": "shi",
    "柏": "bai",
    "仝": "tong",
    "亓": "qi",
    "撒": "sa",
    "纪": "ji",
    "曲": "qu",
    "格": "ge",
    "洛": "luo",
    "阿": "a",
}

#: Characters of today's given names that older dictionaries do not count as such, rare ones
#: among them (堃 喆 燚 镕 玥 曌 䶮), from the same yearly reports.
GIVEN_BOOSTED = frozenset(
    "梓涵轩萱奕喆玥燚镕堃曌䶮睿宸浩宇子诗雨欣怡悦佳琪语桐沐辰泽铭昊然俊博文嘉一诺依若汐妍可馨芮熙"
    "瑞瑶琳璐琦玮珺瑾瑜璇珂琛珈翊翎羽晗晟晨曦昕旻昱暄煜炜烨焱熠炫灿煊恒恺忻悠彤彦君皓皎霖霏霁"
    "筠筱笙楠栩柠棠桓梵樾楷榕橙淼淇淳渊澄澈澜瀚潇溪沁沛泓洛津滢漪灏骁骏骞鸣鹏翰翔飞航舟屹峻岚"
    "岳峥嵘嵩崇瑄璟璨琰琬琮晏旭旸昭晔曜朗朔钰铄锐锦鑫钧铠镇铎鸿雁秀兰英芳桂珍玉凤霞梅花菊莲香"
    "娟红艳丽华淑贞素云春秋冬月娥翠萍琴爱金银建国军强伟勇刚志明永德福贵富财宝根生水土木林森海"
    "涛波江河山峰平安康健民庆祥顺利义仁礼智信忠孝荣光辉耀宗祖先继绍承启贤良才学武斌成立新东南"
    "西北长友朋发旺兴隆昌盛胜家业凯元亮龙虎彪豪杰雄超群娜娅婷婧媛嫣婉婵姝姣娇倩雯雪冰洁静敏慧"
    "惠颖聪灵巧妙美好思念忆梦蕾蕊薇莎莉茜菲芸芷苒茗蓉蓓葳蔓蕙芃菡萌荷莹尼玛扎次卓达瓦央丹增旦"
    "买提古阿艾力"
)
