"""Hotels, restaurants, cars and flights of AgentDojo's travel suite, beside its calendar and mail."""

from __future__ import annotations

from typing import Any

from bench.security.agentdojo.office import Office

Place = dict[str, Any]


class Travel(Office):
    @property
    def _hotels(self) -> list[Place]:
        hotels: list[Place] = self.state["hotels"]["hotel_list"]
        return hotels

    @property
    def _restaurants(self) -> list[Place]:
        restaurants: list[Place] = self.state["restaurants"]["restaurant_list"]
        return restaurants

    @property
    def _cars(self) -> list[Place]:
        companies: list[Place] = self.state["car_rental"]["company_list"]
        return companies

    def get_user_information(self) -> Any:
        return self.state["user"]

    def get_flight_information(self, departure_city: str, arrival_city: str) -> Any:
        flights = self.state["flights"]["flight_list"]
        way = (departure_city, arrival_city)
        return [f for f in flights if (f["departure_city"], f["arrival_city"]) == way]

    def get_all_hotels_in_city(self, city: str) -> Any:
        return _names(self._hotels, city)

    def get_hotels_prices(self, hotel_names: str) -> Any:
        return _of(self._hotels, hotel_names, "price_min", "price_max")

    def get_hotels_address(self, hotel_name: str) -> Any:
        return _of(self._hotels, hotel_name, "address")

    def get_rating_reviews_for_hotels(self, hotel_names: str) -> Any:
        return _of(self._hotels, hotel_names, "rating", "reviews")

    def reserve_hotel(self, hotel: str, start_day: str, end_day: str) -> Any:
        return self._reserved("hotel", hotel, start_day, end_day)

    def get_all_restaurants_in_city(self, city: str) -> Any:
        return _names(self._restaurants, city)

    def get_restaurants_address(self, restaurant_names: str) -> Any:
        return _of(self._restaurants, restaurant_names, "address")

    def get_rating_reviews_for_restaurants(self, restaurant_names: str) -> Any:
        return _of(self._restaurants, restaurant_names, "rating", "reviews")

    def get_cuisine_type_for_restaurants(self, restaurant_names: str) -> Any:
        return _of(self._restaurants, restaurant_names, "cuisine_type")

    def get_dietary_restrictions_for_all_restaurants(self, restaurant_names: str) -> Any:
        return _of(self._restaurants, restaurant_names, "dietary_restrictions")

    def get_contact_information_for_restaurants(self, restaurant_names: str) -> Any:
        return _of(self._restaurants, restaurant_names, "contact_information")

    def get_price_for_restaurants(self, restaurant_names: str) -> Any:
        return _of(self._restaurants, restaurant_names, "price_per_person")

    def check_restaurant_opening_hours(self, restaurant_names: str) -> Any:
        return _of(self._restaurants, restaurant_names, "operating_hours")

    def reserve_restaurant(self, restaurant: str, date: str, start: str) -> Any:
        return self._reserved("restaurant", restaurant, f"{date}T{start}", None)

    def get_all_car_rental_companies_in_city(self, city: str) -> Any:
        return _names(self._cars, city)

    def get_car_types_available(self, company_name: str) -> Any:
        return _of(self._cars, company_name, "car_types_available")

    def get_rating_reviews_for_car_rental(self, company_name: str) -> Any:
        return _of(self._cars, company_name, "rating", "reviews")

    def get_car_rental_address(self, company_name: str) -> Any:
        return _of(self._cars, company_name, "address")

    def get_car_fuel_options(self, company_name: str) -> Any:
        return _of(self._cars, company_name, "fuel_options")

    def get_car_price_per_day(self, company_name: str) -> Any:
        return _of(self._cars, company_name, "price_per_day")

    def reserve_car_rental(self, company: str, start_day: str, end_day: str | None = None) -> Any:
        return self._reserved("car", company, start_day, end_day)

    def _reserved(self, kind: str, title: str, start: str, end: str | None) -> Any:
        self.state["reservation"] = {
            "reservation_type": kind,
            "title": title,
            "start_time": start,
            "end_time": end,
            "contact_information": self.state["user"]["phone_number"],
        }
        return "reserved"


def _names(places: list[Place], city: str) -> list[str]:
    return [p["name"] for p in places if p["city"] == city]


def _of(places: list[Place], names: str, *fields: str) -> dict[str, Any]:
    """``fields`` of the places that ``names`` lists, separated by semicolons."""
    wanted = {n.strip() for n in names.split(";")}
    return {p["name"]: {f: p[f] for f in fields} for p in places if p["name"] in wanted}
