//! Functions, each with what it gives.

use super::is_true;

#[test]
fn of_strings() {
    for expression in [
        "'abc'.contains('b') && 'abc'.startsWith('ab') && 'abc'.endsWith('bc')",
        "'äb'.size() == 2 && size('äb') == 2 && 'äb'.charAt(1) == 'b' && 'a'.charAt(1) == ''",
        "'AbC'.lowerAscii() == 'abc' && 'aÄ'.upperAscii() == 'AÄ'",
        "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c']",
        "'abc'.split('') == ['a', 'b', 'c'] && 'abc'.split('', 2) == ['a', 'bc'] && 'a'.split(',', 0) == []",
        "['a', 'b'].join('-') == 'a-b' && ['a', 'b'].join() == 'ab' && [].join('x') == ''",
        "'aXbX'.replace('X', '.') == 'a.b.' && 'aXbX'.replace('X', '.', 1) == 'a.bX'",
        "'hello'.substring(1) == 'ello' && 'hello'.substring(1, 3) == 'el' && 'a'.substring(1) == ''",
        "'hello'.indexOf('l') == 2 && 'hello'.indexOf('l', 3) == 3 && 'hello'.indexOf('z') == -1",
        "'hello'.lastIndexOf('l') == 3 && 'hello'.lastIndexOf('l', 2) == 2 && 'äöä'.lastIndexOf('ä') == 2",
        "'  a '.trim() == 'a'",
        "'abc'.matches('^[a-z]+$') && matches('abc', 'b') && !'abc'.matches('^b')",
        "'abc 123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]+') == ''",
        "'1 2 3'.findAll('[0-9]') == ['1', '2', '3'] && '1 2 3'.findAll('[0-9]', 2) == ['1', '2']",
        "'%s and %s: %d, %.2f, %x, %b, %o, %e%%'.format([dyn('a'), [1, 2], 7, 1.5, 255, 5, 8, 1500.0]) == 'a and [1, 2]: 7, 1.50, ff, 101, 10, 1.500000e+03%'",
        "'a' + 'b' == 'ab' && 'a' < 'b' && \"x\" == 'x' && r'\\d' == '\\\\d'",
    ] {
        assert!(is_true(expression), "{expression}");
    }
}

#[test]
fn of_types_and_numbers() {
    for expression in [
        "int('5') == 5 && int(2.9) == 2 && double('1.5') == 1.5 && string(5) == '5' && uint(3) == 3u",
        "type(1) == int && type('a') == string && type([]) == list && type(null) == null_type && type(int) == type",
        "bool('true') && !bool('false') && string(true) == 'true' && string(b'ab') == 'ab'",
        "1 == 1 && 1 < 1.5 && 2u > 1 && -5 % 3 == -2 && -(-1) == 1 && --1 == 1",
        "-9223372036854775808 < 0 && 0x10 == 16",
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 10 - 2 - 3 == 5 && 7 / 2 == 3",
        "true ? (false ? false : true) : false",
        "!false && !!true && (false || true)",
        "optional.of(1).value() == 1 && optional.none().orValue(2) == 2 && optional.of(1).or(optional.of(2)) == optional.of(1)",
        "[?optional.none(), ?optional.of(1)] == [1] && {?'a': optional.none()}.size() == 0",
        "!optional.ofNonZeroValue('').hasValue() && [1, 2][?5].orValue(0) == 0",
        "optional.of('a').optFlatMap(x, optional.none()).hasValue() == false",
    ] {
        assert!(is_true(expression), "{expression}");
    }
}

#[test]
fn of_time() {
    for expression in [
        "duration('90m') == duration('1h30m') && string(duration('1.5s')) == '1.5s' && duration('1h').getHours() == 1",
        "timestamp('2024-01-31T12:30:45Z').getDayOfMonth() == 30 && timestamp('2024-01-31T12:30:45Z').getDate() == 31",
        "timestamp('2024-01-31T12:30:45Z').getHours('+02:00') == 14 && timestamp('2024-01-31T23:30:00Z').getDayOfWeek() == 3",
        "timestamp('2024-01-02T00:00:00Z') - timestamp('2024-01-01T00:00:00Z') == duration('24h')",
        "timestamp('2024-01-01T00:00:00Z') + duration('1h') > timestamp('2024-01-01T00:00:00Z')",
        "int(timestamp('1970-01-01T00:01:00Z')) == 60 && timestamp(60) == timestamp('1970-01-01T00:01:00Z')",
        "[duration('1s'), duration('2s')].sum() == duration('3s')",
    ] {
        assert!(is_true(expression), "{expression}");
    }
}

#[test]
fn of_kubernetes() {
    for expression in [
        "isQuantity('1.5Gi') && !isQuantity('1.5gb') && !isQuantity(' 1')",
        "quantity('1Gi').compareTo(quantity('1024Mi')) == 0 && quantity('1Gi') == quantity('1024Mi')",
        "quantity('500m').isLessThan(quantity('1')) && quantity('2').isGreaterThan(quantity('1')) && quantity('-1').sign() == -1",
        "quantity('1').add(quantity('500m')) == quantity('1500m') && quantity('3').sub(1) == quantity('2')",
        "quantity('5k').isInteger() && quantity('5k').asInteger() == 5000 && quantity('1500m').asApproximateFloat() == 1.5",
        "isURL('https://example.com') && !isURL('example.com') && isURL('/path')",
        "url('https://a.example.com:80/x y?k=1').getHostname() == 'a.example.com' && url('https://a:80/').getPort() == '80'",
        "url('https://a:80/b?k=1&k=2').getQuery() == {'k': ['1', '2']} && url('https://a/b').getScheme() == 'https'",
        "url('https://a:80/b').getHost() == 'a:80' && url('https://a/b c').getEscapedPath() == '/b%20c'",
        "isIP('10.0.0.1') && isIP('::1') && !isIP('10.0.0.256') && !isIP('::ffff:1.2.3.4') && ip('10.0.0.1').family() == 4",
        "ip('127.0.0.1').isLoopback() && ip('8.8.8.8').isGlobalUnicast() && ip('fe80::1').isLinkLocalUnicast()",
        "ip.isCanonical('2001:db8::1') && !ip.isCanonical('2001:DB8::1') && string(ip('::1')) == '::1'",
        "isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/33') && cidr('10.0.0.0/8').prefixLength() == 8",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))",
        "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.1.2.3/8').ip() == ip('10.1.2.3')",
        "cidr('0.0.0.0/0').containsIP('1.2.3.4') && cidr('::/0').containsIP('::1')",
    ] {
        assert!(is_true(expression), "{expression}");
    }
}
