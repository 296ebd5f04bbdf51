//! The server that is nearest.

use std::fmt;

use crate::instance::Instance;

use super::{Candidate, Selection, Selector};

/// Takes the server that is nearest to the client, by `latitude` and `longitude`.
///
/// Distances are those on a sphere, as in Go rpcx 1.9.4. Of several servers in the same place, any is
/// taken, each as likely as the others. Servers that do not say where they are are never taken; if
/// none does, no server is. A server that names a place which is none gets a warning when it is first
/// listed: half of the two, a text that is no number, a latitude beyond 90 or a longitude beyond 180
/// degrees, to which Go works out some distance.
///
/// ```
/// use rpcx::client::selector::{Candidate, Closest, Selection, Selector};
/// use rpcx::{Instance, InstanceMetadata};
///
/// let server = |address: &str, place: &str| -> Result<_, rpcx::AddressError> {
///     let instance = Instance::new(address.parse()?);
///     Ok(Candidate::new(instance.with_metadata(InstanceMetadata::parse(place))))
/// };
/// let servers = [
///     server("tokyo:8972", "latitude=35.68&longitude=139.69")?,
///     server("vienna:8972", "latitude=48.21&longitude=16.37")?,
/// ];
/// let from_berlin = Closest::new(52.52, 13.41)?;
/// assert_eq!(from_berlin.select(&servers, &Selection::new("Arith", "Mul")), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A choice looks at all servers, without a lock, and allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Closest {
    from: [f64; 3],
}

impl Closest {
    /// Takes where the client is, in degrees; south and west are negative.
    ///
    /// # Errors
    ///
    /// [`LocationError`] unless the latitude is from -90 to 90, and the longitude from -180 to 180.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, LocationError> {
        let from = on_sphere(latitude, longitude).ok_or(LocationError { latitude, longitude })?;
        Ok(Self { from })
    }
}

/// Numbers that are no place on Earth.
#[derive(Clone, Debug, PartialEq)]
pub struct LocationError {
    latitude: f64,
    longitude: f64,
}

impl fmt::Display for LocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { latitude, longitude } = self;
        write!(
            f,
            "latitude {latitude}, longitude {longitude} is no place: \
             they are from -90 to 90 and from -180 to 180 degrees"
        )
    }
}

impl std::error::Error for LocationError {}

/// Where a server is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// On the unit sphere.
    At([f64; 3]),
    /// The server does not say.
    Unnamed,
    /// What the server says makes no sense.
    Odd,
}

/// Reads where a server is.
pub(super) fn place(instance: &Instance) -> Place {
    let metadata = instance.metadata();
    if metadata.get("latitude").is_none() && metadata.get("longitude").is_none() {
        return Place::Unnamed;
    }
    let location = metadata.location();
    let point = location.and_then(|(latitude, longitude)| on_sphere(latitude, longitude));
    point.map_or(Place::Odd, Place::At)
}

/// Gives a point of the unit sphere: the same for the same place, whatever it is called.
fn on_sphere(latitude: f64, longitude: f64) -> Option<[f64; 3]> {
    if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
        return None;
    }
    if latitude.abs() >= 90.0 {
        return Some([0.0, 0.0, latitude.signum()]);
    }
    // The sine of 180 degrees is not quite 0, and another one at -180 degrees.
    let longitude = if longitude <= -180.0 { 180.0 } else { longitude };
    let (sine, cosine) = latitude.to_radians().sin_cos();
    let (east, toward) = longitude.to_radians().sin_cos();
    Some([cosine * toward, cosine * east, sine])
}

/// Gives the square of the straight distance, which grows with the distance on the sphere.
fn distance([x, y, z]: [f64; 3], [to_x, to_y, to_z]: [f64; 3]) -> f64 {
    (x - to_x).powi(2) + (y - to_y).powi(2) + (z - to_z).powi(2)
}

impl Selector for Closest {
    fn select(&self, candidates: &[Candidate], _: &Selection<'_>) -> Option<usize> {
        let mut best: Option<(usize, f64)> = None;
        let mut ties = 1_usize;
        for (at, candidate) in candidates.iter().enumerate() {
            let Some(point) = candidate.point() else { continue };
            let here = distance(self.from, point);
            match best {
                Some((_, least)) if here > least => {}
                // The nth replaces the one kept so far once in n times: all are as likely.
                Some((_, least)) if here >= least => {
                    ties += 1;
                    if fastrand::usize(..ties) == 0 {
                        best = Some((at, here));
                    }
                }
                _ => {
                    best = Some((at, here));
                    ties = 1;
                }
            }
        }
        best.map(|(at, _)| at)
    }

    fn wants_pending(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{candidates, counts, instance, select};
    use super::*;

    fn at(latitude: f64, longitude: f64) -> String {
        format!("latitude={latitude}&longitude={longitude}")
    }

    fn closest(from: (f64, f64), places: &[(f64, f64)]) -> Option<usize> {
        let places: Vec<_> = places.iter().map(|(north, east)| at(*north, *east)).collect();
        let places: Vec<_> = places.iter().map(String::as_str).collect();
        select(&Closest::new(from.0, from.1).unwrap(), &candidates(&places))
    }

    /// The distance in metres, on the sphere that Go rpcx 1.9.4 uses.
    fn haversine((north, east): (f64, f64), (to_north, to_east): (f64, f64)) -> f64 {
        let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
        let scale = north.to_radians().cos() * to_north.to_radians().cos();
        let chord = half(to_north - north) + scale * half(to_east - east);
        2.0 * 6_378_100.0 * chord.sqrt().min(1.0).asin()
    }

    #[test]
    fn the_date_line_divides_nothing() {
        assert_eq!(closest((0.0, 179.5), &[(0.0, 178.0), (0.0, -179.9)]), Some(1));
        assert_eq!(closest((10.0, -180.0), &[(11.0, 180.0), (10.0, 180.0)]), Some(1));
    }

    #[test]
    fn at_a_pole_longitudes_are_alike() {
        assert_eq!(closest((89.0, 0.0), &[(88.0, 180.0), (89.0, 180.0), (87.9, 0.0)]), Some(2));
        assert_eq!(closest((-90.0, 17.0), &[(-88.0, 17.0), (-89.0, -163.0)]), Some(1));
    }

    #[test]
    fn of_the_same_place_any_is_taken() {
        let same = [
            [at(90.0, 10.0), at(90.0, -130.0), at(89.9, 10.0)],
            [at(5.0, 180.0), at(5.0, -180.0), at(6.0, 180.0)],
            [at(5.0, 7.0), at(5.0, 7.0), at(5.0, 8.0)],
            ["latitude=0&longitude=0".into(), at(-0.0, 0.0), at(1.0, 0.0)],
        ];
        for places in same {
            let servers = candidates(&places.each_ref().map(String::as_str));
            let (latitude, longitude) = servers[0].metadata().location().unwrap();
            let counts = counts(&Closest::new(latitude, longitude).unwrap(), &servers, 10_000);
            assert_eq!(counts[2], 0, "{places:?}");
            assert!(counts[0].abs_diff(5_000) < 500, "{places:?} {counts:?}");
        }
    }

    #[test]
    fn of_many_in_the_same_place_each_is_as_likely() {
        let mut places = vec!["latitude=1&longitude=2"; 5];
        places.insert(0, "latitude=1&longitude=3");
        let counts = counts(&Closest::new(0.0, 0.0).unwrap(), &candidates(&places), 50_000);
        assert_eq!(counts[0], 0);
        assert!(counts[1..].iter().all(|count| count.abs_diff(10_000) < 1_000), "{counts:?}");
    }

    #[test]
    fn a_server_that_is_nowhere_is_never_taken() {
        let nowhere = [
            "latitude=1",
            "longitude=1",
            "latitude=&longitude=",
            "latitude=north&longitude=1",
            "latitude=1&longitude=1,5",
            "latitude=90.1&longitude=0",
            "latitude=0&longitude=-180.1",
            "latitude=NaN&longitude=0",
            "latitude=0&longitude=inf",
        ];
        for odd in nowhere {
            assert_eq!(place(&instance("localhost:1", odd)), Place::Odd, "{odd}");
        }
        assert_eq!(place(&instance("localhost:1", "weight=1")), Place::Unnamed);

        let selector = Closest::new(0.0, 0.0).unwrap();
        let mut servers = candidates(&nowhere);
        assert_eq!(select(&selector, &servers), None);
        assert_eq!(select(&selector, &[]), None);
        servers.extend(candidates(&["", "latitude=0&longitude=180"]));
        assert_eq!(select(&selector, &servers), Some(nowhere.len() + 1));
    }

    #[test]
    fn a_client_is_somewhere() {
        let nowhere = [(f64::NAN, 0.0), (0.0, f64::NAN), (90.01, 0.0), (0.0, f64::NEG_INFINITY)];
        for (latitude, longitude) in nowhere {
            assert!(Closest::new(latitude, longitude).is_err());
        }
        assert_eq!(
            Closest::new(0.0, 200.5).unwrap_err().to_string(),
            "latitude 0, longitude 200.5 is no place: \
             they are from -90 to 90 and from -180 to 180 degrees"
        );
    }

    fn place_on_earth() -> impl Strategy<Value = (f64, f64)> {
        let latitude = prop_oneof![-90.0..=90.0, Just(90.0), Just(-90.0), 89.9..=90.0];
        let longitude = prop_oneof![-180.0..=180.0, Just(180.0), Just(-180.0), 179.9..=180.0];
        (latitude, longitude)
    }

    proptest! {
        #[test]
        fn the_one_taken_is_the_nearest_by_haversine(
            from in place_on_earth(),
            places in prop::collection::vec(place_on_earth(), 1..20),
        ) {
            let chosen = places[closest(from, &places).unwrap()];
            let distances = places.iter().map(|place| haversine(from, *place));
            let least = distances.fold(f64::INFINITY, f64::min);
            // At the far end of the world both are exact to some decimetres.
            prop_assert!(haversine(from, chosen) <= least + 1.0);
        }
    }
}
